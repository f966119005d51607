/** What is wrong with a form, by the names of its inputs (`title`, `lines.1.qty`). Pure. */

export interface Mistake {
  readonly source: string;
  readonly message: string;
}

/** Of errors in the shape of the form: those of react-hook-form, and the texts the API's refusals are made of. That of the whole is none. */
export function mistakesOf(errors: unknown, above = ''): readonly Mistake[] {
  if (typeof errors !== 'object' || errors === null) return [];
  return Object.entries(errors as Readonly<Record<string, unknown>>).flatMap(([name, error]) => {
    if (name === 'root') return [];
    const source = above === '' ? name : `${above}.${name}`;
    const message = messageOf(error);
    return message === undefined ? mistakesOf(error, source) : [{ source, message }];
  });
}

/** react-hook-form keeps the input with the message; a row may have a field called `message`. */
function messageOf(error: unknown): string | undefined {
  if (typeof error === 'string') return error;
  const isKept = typeof error === 'object' && error !== null && 'ref' in error && 'message' in error;
  return isKept && typeof error.message === 'string' ? error.message : undefined;
}

/**
 * A refusal as the form takes it: each mistake at its input. What belongs to no input is told with the whole: react-hook-form never clears
 * what stands at a name it does not know, and would not send the form again.
 */
export function placed(errors: unknown, whole: string, hasInput: (source: string) => boolean): Readonly<Record<string, unknown>> {
  const mistakes = mistakesOf(errors);
  const here = mistakes.filter(({ source }) => hasInput(source));
  const elsewhere = mistakes.filter(({ source }) => !hasInput(source));
  const text = [whole, ...elsewhere.map(({ source, message }) => `${source}: ${message}`)].filter((part) => part !== '').join(' ');
  return { ...Object.fromEntries(here.map(({ source, message }) => [source, message])), root: { serverError: text } };
}
