/** The functions an expression may call, as docs/expressions.md tells them: a signature and a sentence in each language. */
import type { FunctionName } from '../../../core/expression/function-names.ts';
import type { Locale } from '../i18n/locale.ts';

export interface FunctionHelp {
  /** `contains(text, part)`, without the dollar sign that may stand before every name. */
  readonly signature: string;
  /** Whether a policy may use it. */
  readonly isInSql: boolean;
  readonly says: Readonly<Record<Locale, string>>;
}

const SQL = true;
const help = (signature: string, en: string, de: string, isInSql = false): FunctionHelp => ({ signature, isInSql, says: { en, de } });

export const FUNCTION_HELP: Readonly<Record<FunctionName, FunctionHelp>> = {
  len: help(
    'len(x)',
    'Characters of a text, items of a list, keys of an object; 0 for null.',
    'Zeichen eines Texts, Einträge einer Liste, Schlüssel eines Objekts; 0 für null.',
    SQL,
  ),
  length: help('length(text)', 'Characters; null for null.', 'Zeichen; null für null.', SQL),
  lowercase: help('lowercase(text)', 'The text in small letters.', 'Der Text in Kleinbuchstaben.', SQL),
  uppercase: help('uppercase(text)', 'The text in capitals.', 'Der Text in Großbuchstaben.', SQL),
  trim: help(
    'trim(text)',
    'Without blanks around it; runs of blanks become one.',
    'Ohne Leerraum am Rand; mehrfacher Leerraum wird einer.',
    SQL,
  ),
  contains: help('contains(text, part)', 'Whether the part is in it; false for null.', 'Ob der Teil darin steht; false für null.', SQL),
  startsWith: help('startsWith(text, start)', 'Whether it begins with this.', 'Ob er so beginnt.', SQL),
  endsWith: help('endsWith(text, end)', 'Whether it ends with this.', 'Ob er so endet.', SQL),
  substring: help(
    'substring(text, start, length?)',
    'A part of the text; a negative start counts from the end.',
    'Ein Stück des Texts; ein negativer Anfang zählt vom Ende.',
    SQL,
  ),
  substringBefore: help('substringBefore(text, mark)', 'What stands before the mark.', 'Was vor der Marke steht.', SQL),
  substringAfter: help('substringAfter(text, mark)', 'What stands after the mark.', 'Was nach der Marke steht.', SQL),
  replace: help('replace(text, from, to)', 'Every `from` becomes `to`.', 'Jedes `from` wird zu `to`.', SQL),
  split: help('split(text, mark)', 'The pieces between the marks, as a list.', 'Die Stücke zwischen den Marken, als Liste.'),
  join: help('join(list, mark?)', 'The items as one text.', 'Die Einträge als ein Text.'),
  match: help('match(text, pattern)', 'Whether the RE2 pattern is found.', 'Ob das RE2-Muster vorkommt.'),
  test: help('test(text, pattern)', 'Whether the RE2 pattern is found.', 'Ob das RE2-Muster vorkommt.'),
  exists: help('exists(x)', 'Whether there is a value.', 'Ob es einen Wert gibt.', SQL),
  not: help('not(x)', 'True when x is not.', 'Wahr, wenn x es nicht ist.', SQL),
  boolean: help('boolean(x)', 'Its truth.', 'Der Wahrheitswert.', SQL),
  number: help('number(x)', 'As a number; null for what is none.', 'Als Zahl; null, wenn es keine ist.', SQL),
  string: help('string(x)', 'As a text.', 'Als Text.', SQL),
  round: help('round(n, digits?)', 'Rounded, half away from zero.', 'Gerundet, halbe weg von null.', SQL),
  abs: help('abs(n)', 'Without its sign.', 'Ohne Vorzeichen.', SQL),
  floor: help('floor(n)', 'The next whole number below.', 'Die nächste ganze Zahl darunter.', SQL),
  ceil: help('ceil(n)', 'The next whole number above.', 'Die nächste ganze Zahl darüber.', SQL),
  sqrt: help('sqrt(n)', 'The square root.', 'Die Quadratwurzel.'),
  power: help('power(n, e)', 'n to the power of e.', 'n hoch e.'),
  sum: help('sum(list)', 'The sum of a list, or of several values.', 'Die Summe einer Liste oder mehrerer Werte.'),
  count: help('count(list)', 'How many items.', 'Wie viele Einträge.'),
  min: help('min(list)', 'The smallest of a list, or of several values.', 'Der kleinste Wert.'),
  max: help('max(list)', 'The greatest of a list, or of several values.', 'Der größte Wert.'),
  average: help('average(list)', 'The mean of a list, or of several values.', 'Der Mittelwert.'),
  date: help(
    'date(x)',
    'A timestamp of a date, a timestamp or milliseconds.',
    'Ein Zeitpunkt aus Datum, Zeitpunkt oder Millisekunden.',
    SQL,
  ),
  now: help('now()', 'The time of the request.', 'Die Zeit der Anfrage.', SQL),
  toMillis: help('toMillis(x)', 'Milliseconds since 1970.', 'Millisekunden seit 1970.', SQL),
  fromMillis: help('fromMillis(n)', 'The time so many milliseconds after 1970.', 'Die Zeit so viele Millisekunden nach 1970.', SQL),
  days: help('days(from, to)', 'Whole days between two times.', 'Ganze Tage zwischen zwei Zeiten.', SQL),
  hours: help('hours(from, to)', 'Whole hours between two times.', 'Ganze Stunden zwischen zwei Zeiten.', SQL),
  minutes: help('minutes(from, to)', 'Whole minutes between two times.', 'Ganze Minuten zwischen zwei Zeiten.', SQL),
  addDays: help('addDays(x, n)', 'n days later.', 'n Tage später.', SQL),
  addHours: help('addHours(x, n)', 'n hours later.', 'n Stunden später.', SQL),
  addMinutes: help('addMinutes(x, n)', 'n minutes later.', 'n Minuten später.', SQL),
  year: help('year(x)', 'The year, in UTC.', 'Das Jahr, in UTC.', SQL),
  month: help('month(x)', 'The month, in UTC.', 'Der Monat, in UTC.', SQL),
  day: help('day(x)', 'The day of the month, in UTC.', 'Der Tag des Monats, in UTC.', SQL),
  distinct: help('distinct(list)', 'Each item once.', 'Jeden Eintrag einmal.'),
  append: help('append(list, items)', 'One list of both.', 'Eine Liste aus beiden.'),
  reverse: help('reverse(list)', 'The last item first.', 'Der letzte Eintrag zuerst.'),
  keys: help('keys(object)', 'The names of its members.', 'Die Namen seiner Mitglieder.'),
  lookup: help('lookup(object, key)', 'The member of this name.', 'Das Mitglied dieses Namens.'),
};

export const helpFor = (name: string): FunctionHelp | undefined =>
  Object.hasOwn(FUNCTION_HELP, name) ? FUNCTION_HELP[name as FunctionName] : undefined;
