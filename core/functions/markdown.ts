/** The registry as text for people: the second half of docs/functions.md. */
import { describeFunctions, type DescribedFunction } from './registry.ts';

const KINDS: readonly (readonly [DescribedFunction['kind'], string])[] = [
  ['validator', 'Validators'],
  ['transform', 'Transforms'],
  ['hook', 'Hooks'],
  ['integration', 'Integrations'],
];

export const BEGIN = '<!-- made by `npm run durabase -- functions --write docs/functions.md` from core/functions -->';

export function functionsMarkdown(): string {
  const all = describeFunctions();
  return KINDS.flatMap(([kind, title]) => [`## ${title}`, ...all.filter((one) => one.kind === kind).map(oneFunction)]).join('\n\n');
}

/** The text with everything behind the mark made anew. */
export function withFunctions(text: string): string {
  const at = text.indexOf(BEGIN);
  const kept = at < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, at);
  return `${kept}${BEGIN}\n\n${functionsMarkdown()}\n`;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, Parameter>>;
  readonly required?: readonly string[];
}

interface Parameter {
  readonly type?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Parameter[];
  readonly default?: unknown;
  readonly description?: string;
}

function oneFunction({ name, summary, parameters, returns, runs, errors, examples }: DescribedFunction): string {
  const { properties = {}, required = [] } = parameters as JsonSchema;
  const lines = Object.entries(properties).map(([key, one]) => parameterLine(key, one, required.includes(key)));
  const facts = [
    `Answers ${returns === 'none' ? 'nothing' : returns}; runs ${runs === 'in_the_write' ? 'inside the write' : 'after the commit'}.`,
    ...(errors.length === 0 ? [] : [`Refuses: ${errors.join('; ')}.`]),
  ];
  const shown = examples.map(({ params, result }) => `\`${JSON.stringify(params)}\` → \`${JSON.stringify(result)}\``);
  return [`### ${name}`, summary, lines.join('\n'), facts.join(' '), ...shown].filter((part) => part !== '').join('\n\n');
}

function parameterLine(key: string, one: Parameter, isRequired: boolean): string {
  const fallback = one.default === undefined ? '' : `, ${JSON.stringify(one.default)} when left out`;
  const about = one.description ?? one.anyOf?.find((form) => form.description !== undefined)?.description ?? '';
  return `- \`${key}\` (${kindOf(one)}${isRequired && one.default === undefined ? ', required' : fallback}): ${about}`;
}

function kindOf(one: Parameter): string {
  if (one.enum !== undefined) return one.enum.map((word) => `\`${String(word)}\``).join(', ');
  if (one.anyOf !== undefined) return [...new Set(one.anyOf.map(kindOf).filter((kind) => kind !== 'null'))].join(' or ');
  return typeof one.type === 'string' ? one.type : 'any value';
}
