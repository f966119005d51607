/** How an expression is coloured. Its meaning is core/expression's; here are only words, texts, numbers and brackets. */
import { LanguageSupport, StreamLanguage, type StringStream } from '@codemirror/language';
import { isKnownFunction, FUNCTION_ALIASES } from '../../../core/expression/function-names.ts';
import { isRoot } from '../../../core/expression/syntax.ts';

const WORDS = new Set(['and', 'or', 'in', 'not', 'new']);
const ATOMS = new Set(['true', 'false', 'null', 'nil', 'undefined']);
const OPERATORS = /^(?:===|!==|\?\?|\?:|\?\.|:=|~>|&&|\|\||[<>!=]=|<>|\*\*|[-+*/%&=<>!?:^|])/;

function quoted(stream: StringStream, quote: string): string {
  while (!stream.eol()) {
    const next = stream.next();
    if (next === '\\') stream.next();
    else if (next === quote) break;
  }
  return quote === '`' ? 'propertyName' : 'string';
}

function word(stream: StringStream, isMember: boolean): string {
  const name = stream.current();
  if (isMember) return 'propertyName';
  if (WORDS.has(name)) return 'keyword';
  if (ATOMS.has(name)) return 'atom';
  const isCall = /^\s*\(/.test(stream.string.slice(stream.pos));
  if (isCall && (isKnownFunction(name) || FUNCTION_ALIASES.has(name))) return 'variableName.function';
  return isRoot(name) ? 'variableName' : 'propertyName';
}

const language = StreamLanguage.define({
  name: 'expression',
  startState: () => ({ isMember: false }),
  token(stream, state) {
    if (stream.eatSpace()) return null;
    const { isMember } = state;
    state.isMember = false;
    const next = stream.peek() ?? '';
    if (['"', "'", '`'].includes(next)) return quoted(stream, stream.next() ?? next);
    if (stream.match(/^\d+(?:\.\d+)?/)) return 'number';
    if (stream.match(/^\$?[\p{L}_][\p{L}\p{N}_]*/u))
      return stream.current().startsWith('$') ? 'variableName.function' : word(stream, isMember);
    if (stream.match(/^\??\.(?!\d)/)) {
      state.isMember = true;
      return 'punctuation';
    }
    if (stream.match(OPERATORS)) return 'operator';
    stream.next();
    return 'bracket';
  },
  tokenTable: {},
  languageData: { closeBrackets: { brackets: ['(', '[', '{', "'", '"'] } },
});

export const expressionLanguage = (): LanguageSupport => new LanguageSupport(language);
