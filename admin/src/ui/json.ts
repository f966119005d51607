/** JSON that somebody types; undefined while it is none. */
export const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

/** Of the shape that is wanted; undefined while it is not. Nothing typed is the empty list. */
export function readList(text: string): readonly unknown[] | undefined {
  const value = text.trim() === '' ? [] : readJson(text);
  return Array.isArray(value) ? value : undefined;
}

export function readObject(text: string): Record<string, unknown> | undefined {
  const value = readJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

/** Numbers, true, false, null, lists and objects are what they look like; all else is text, a path or a template. */
export function readLoose(typed: string): unknown {
  if (!/^(-?\d+(\.\d+)?|true|false|null|[[{].*[\]}])$/s.test(typed.trim())) return typed;
  return readJson(typed) ?? (typed.trim() === 'null' ? null : typed);
}
