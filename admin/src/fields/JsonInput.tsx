import type { ReactElement } from 'react';
import { TextInput, type TextInputProps } from 'react-admin';
import { useWords } from '../i18n/words.ts';
import { FIELDS } from './words.ts';

/** JSON as text. What does not parse stays text in the form and is refused with a message, never sent. */
export function JsonInput(props: TextInputProps): ReactElement {
  const t = useWords(FIELDS);
  return (
    <TextInput
      {...props}
      multiline
      minRows={3}
      format={(value: unknown) =>
        typeof value === 'string' && !isJson(value) ? value : value === null || value === undefined ? '' : JSON.stringify(value, null, 2)
      }
      parse={(typed: string) => (typed === '' ? null : isJson(typed) ? (JSON.parse(typed) as unknown) : typed)}
      validate={(value: unknown) => (typeof value === 'string' && !isJson(value) ? t('not_json') : undefined)}
    />
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
