/** `uuid`, and `file`, whose value is the id of a stored file. */
import { accepted, EQUALITY_OPERATORS, isListed, mustBeListed, refused, type FieldKind } from './field-kind.ts';

const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The usual hyphened form, any version. */
export const isUuid = (text: string): boolean => UUID_SHAPE.test(text);

export const uuidField: FieldKind = {
  column: () => 'uuid',
  coerce(field, value) {
    if (typeof value !== 'string' || !isUuid(value)) return refused(field, 'type', 'must be a UUID');
    const text = value.toLowerCase();
    return isListed(field.definition, text) ? accepted(text) : refused(field, 'enum', mustBeListed(field.definition));
  },
  fromText: (text) => text.trim(),
  operators: EQUALITY_OPERATORS,
  input: 'text',
};

export const fileField: FieldKind = {
  ...uuidField,
  coerce(field, value) {
    // What reads answer for a file ({id, filename, ...}) may be sent back as it is.
    const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : value;
    return typeof id === 'string' && isUuid(id) ? accepted(id.toLowerCase()) : refused(field, 'type', 'must be the id of an uploaded file');
  },
  input: 'file',
};
