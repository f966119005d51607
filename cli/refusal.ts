/** An error of the api, or of the same rules applied here, as the text of a console: the message, the way out, then each detail. */
export interface Refusal {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details?: readonly Detail[];
}

interface Detail {
  readonly path?: string;
  readonly entity?: string;
  readonly field?: string;
  readonly relation?: string;
  readonly message: string;
  readonly hint?: string;
}

export function refusalText({ message, hint, details = [] }: Refusal): string {
  const [only, ...others] = details;
  const isSaid = only !== undefined && others.length === 0 && message.includes(only.message);
  const lines = isSaid ? [] : details.map((detail) => `\n  ${placed(detail)}${after(detail.hint)}`);
  return `${message}${after(hint)}${lines.join('')}`;
}

const after = (hint: string | undefined): string => (hint === undefined ? '' : ` ${hint}`);

const placed = (detail: Detail): string => {
  const place = placeOf(detail);
  return place === '' || detail.message.startsWith(place) ? detail.message : `${place}: ${detail.message}`;
};

const placeOf = ({ path, entity, field, relation }: Detail): string =>
  path ?? [entity, field ?? relation].filter((part) => part !== undefined).join('.');
