/**
 * An expression in the names of an older version. Names that changed are replaced where it is certain whose they are: at the
 * beginning of a path and along its relations. Inside brackets and behind variables a name may belong to anything: where one of
 * the changed names stands there, the expression is not translated at all.
 */
import { tokenize, type Token } from '../../expression/tokens.ts';
import { isRoot } from '../../expression/syntax.ts';
import type { OlderNames } from './names.ts';

/** Undefined when it names what the older version lacks, or cannot be read with certainty. */
export function olderExpression(names: OlderNames, entity: string, text: string): string | undefined {
  const tokens = tokenize(text);
  if (!tokens.some((token) => token.kind === 'name' && isChanged(names, bare(token)))) return text;
  if (tokens.some((token, index) => isUncertain(token, tokens[index - 1]))) return undefined;
  return rewritten(names, entity, text, tokens);
}

const bare = ({ text }: Token): string => (text.startsWith('`') ? text.slice(1, -1) : text);

/** Whether anything of that name is called otherwise, or is not there, in the older version. */
function isChanged(names: OlderNames, name: string): boolean {
  return [...names.served.entities.values()].some((entity) => {
    if (entity.fields.has(name) && names.comparable(entity.name, name)?.name !== name) return true;
    return entity.ends.has(name) && names.end(entity.name, name)?.names.includes(name) !== true;
  });
}

const BRACKETS = new Set(['[', '{', '^', ':=', '|', '@', '#']);

/** Item contexts: `items[price > 1]`, `items.(price)`, variables and functions of the author's own. */
const isUncertain = (token: Token, before: Token | undefined): boolean =>
  token.kind === 'operator' && (BRACKETS.has(token.text) || (token.text === '(' && before?.text === '.'));

function rewritten(names: OlderNames, entity: string, text: string, tokens: readonly Token[]): string | undefined {
  let out = '';
  let from = 0;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token?.kind !== 'name' || tokens[index - 1]?.text === '.' || tokens[index + 1]?.text === '(') continue;
    const path = pathAt(tokens, index);
    const told = olderPath(names, entity, path.map(bare));
    if (told === undefined) return undefined;
    out += text.slice(from, token.start) + told.join('.');
    from = path.at(-1)?.end ?? token.end;
    index += (path.length - 1) * 2;
  }
  return out + text.slice(from);
}

function pathAt(tokens: readonly Token[], start: number): Token[] {
  const path: Token[] = [];
  for (let index = start; ; index += 2) {
    const token = tokens[index];
    if (token?.kind !== 'name') return path;
    path.push(token);
    if (tokens[index + 1]?.text !== '.') return path;
  }
}

function olderPath(names: OlderNames, entity: string, path: readonly string[]): string[] | undefined {
  const [head = '', ...rest] = path;
  if (head === 'record' || head === 'old' || head === 'related') {
    if (rest.length === 0) return [head];
    const told = names.path(entity, rest.join('.'));
    return told === undefined ? undefined : [head, ...told.split('.')];
  }
  // Words of the language and its roots (`and`, `user`) are no fields, unless the entity has one of that name.
  const model = names.served.entities.get(entity);
  if (isRoot(head) || (model?.fields.has(head) !== true && model?.ends.has(head) !== true)) return [...path];
  return names.path(entity, path.join('.'))?.split('.');
}
