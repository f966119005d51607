import { expect, it } from 'vitest';
import { isAppError } from '../../../core/errors.ts';
import { readMapping, suggestMapping, type FieldView, type Mapping } from '../../../core/import/mapping.ts';
import { documentSchema } from '../../../core/model/document.ts';
import { buildModel } from '../../../core/model/model.ts';

const model = buildModel(
  documentSchema.parse({
    version: 1,
    entities: [
      {
        name: 'person',
        fields: [
          { name: 'first_name', type: 'string', label: 'Vorname' },
          { name: 'street', type: 'string', label: 'Straße' },
          { name: 'email', type: 'email', unique: true, label: 'E-Mail' },
          { name: 'salary', type: 'decimal' },
          { name: 'made_at', type: 'timestamp', auto: 'create' },
          { name: 'company', type: 'relation', target: 'company' },
        ],
      },
      {
        name: 'company',
        fields: [
          { name: 'vat', type: 'string', unique: true },
          { name: 'city', type: 'string' },
        ],
      },
    ],
  }),
);
const person = model.entities.get('person');
if (person === undefined) throw new Error('no person');
const view: FieldView = {
  entity: (name) => model.entities.get(name),
  isKnown: (_, field) => field.name !== 'salary',
  isReadable: () => true,
  isWritable: (_, field) => field.name !== 'salary',
};
const request = { entity: person, view, namesRecords: false };

it('suggests fields by names and labels, each once', () => {
  const columns = ['FirstName', 'vorname', 'STRASSE', 'e mail', 'Company VAT', 'company_id', 'Salary', 'made_at', 'id', '_reason', 'other'];
  expect(suggestMapping(request, columns)).toEqual({
    FirstName: 'first_name',
    vorname: null,
    STRASSE: 'street',
    'e mail': 'email',
    'Company VAT': 'company.vat',
    company_id: null,
    Salary: null,
    made_at: null,
    id: null,
    _reason: null,
    other: null,
  });
  expect(suggestMapping({ ...request, namesRecords: true }, ['ID'])).toEqual({ ID: 'id' });
});

it.each<[Mapping, string]>([
  [{ b: 'email' }, 'the file has no column "b"'],
  [{ a: 'mail' }, 'mail is no field of person'],
  [{ a: 'salary' }, 'salary is no field of person'],
  [{ a: 'made_at' }, 'made_at is made by the engine and cannot be imported'],
  [{ a: 'company.city' }, 'a company is found by a unique field: company.id, company.vat'],
  [{ a: 'email.x' }, 'email is no relation that is found by a field'],
  [{ a: 'email', c: 'email' }, '"a" goes to email already'],
])('%j is refused', (mapping, message) => {
  try {
    readMapping(request, ['a', 'c'], mapping);
    expect.unreachable();
  } catch (error) {
    if (!isAppError(error)) throw error;
    expect(error.details[0]?.message).toBe(message);
  }
});

it('goes to a relation by its key under either name', () => {
  for (const name of ['company', 'company_id', 'company.id']) {
    expect([...readMapping(request, ['a'], { a: name })]).toEqual([['a', { field: person.fields.get('company_id') }]]);
  }
});
