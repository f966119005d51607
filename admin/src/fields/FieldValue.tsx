/** A value of a field as one sees it: in a list's row, on a record's page, in a card of a phone. */
import AttachFileOutlined from '@mui/icons-material/AttachFileOutlined';
import CheckOutlined from '@mui/icons-material/CheckOutlined';
import CloseOutlined from '@mui/icons-material/CloseOutlined';
import { Box } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import { ReferenceField, useCreatePath, type RaRecord } from 'react-admin';
import { Link } from 'react-router-dom';
import { entityNamed, useDiscovery } from '../shell/discovery-context.ts';
import type { DiscoveredEntity, DiscoveredField } from '../discovery.ts';
import { useFormat } from '../i18n/format.ts';
import { useWords } from '../i18n/words.ts';
import { Time } from '../ui/Time.tsx';
import { ChoiceChip } from './ChoiceChip.tsx';
import { JsonView } from './JsonView.tsx';
import { fileOf, plainText, statesOf, titleOf } from './values.ts';
import { FIELDS } from './words.ts';

/** `list` keeps to one line, `record` has room. */
export type Place = 'list' | 'record';

interface FieldValueProps {
  readonly entity: DiscoveredEntity;
  readonly field: DiscoveredField;
  readonly value: unknown;
  /** Where a list has included the related record already, its title is taken from there. */
  readonly record?: Readonly<Record<string, unknown>>;
  readonly place?: Place;
}

export function FieldValue(props: FieldValueProps): ReactElement {
  const { entity, field, value } = props;
  const format = useFormat();
  const t = useWords(FIELDS);
  if (value === null || value === undefined || value === '') return <Nothing label={t('nothing')} />;
  if (field.references !== null) return <Reference {...props} target={field.references} />;
  if (field.enum !== null || statesOf(entity, field.name).length > 0) return <ChoiceChip value={value} />;
  const text = plainText(field, value, format, t);
  switch (field.type) {
    case 'boolean':
      return <YesNo isYes={value === true} word={text} />;
    case 'timestamp':
      return <Time at={String(value as string)} />;
    case 'email':
      return <Outward href={`mailto:${text}`}>{text}</Outward>;
    case 'url':
      return /^https?:\/\//i.test(text) ? <Outward href={text}>{text.replace(/^https?:\/\//i, '')}</Outward> : <>{text}</>;
    case 'json':
      return <Json {...props} text={text} />;
    case 'file':
      return <File value={value} />;
    case 'text':
      return props.place === 'record' ? <LongText>{text}</LongText> : <>{shorten(text)}</>;
    default:
      return <>{text}</>;
  }
}

const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);

function Nothing({ label }: { readonly label: string }): ReactElement {
  return (
    <Box component="span" aria-label={label} role="img" sx={{ color: 'text.secondary' }}>
      –
    </Box>
  );
}

function YesNo({ isYes, word }: { readonly isYes: boolean; readonly word: string }): ReactElement {
  const Icon = isYes ? CheckOutlined : CloseOutlined;
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.5 }}>
      <Icon sx={{ fontSize: 16, color: isYes ? 'success.main' : 'text.secondary' }} />
      {word}
    </Box>
  );
}

/** A link that leaves the page; a click on it does not open the row. */
function Outward({ href, children }: { readonly href: string; readonly children: ReactNode }): ReactElement {
  return (
    <Box
      component="a"
      href={href}
      target="_blank"
      rel="noreferrer"
      onClick={(event) => event.stopPropagation()}
      sx={{ color: 'primary.main', lineHeight: '24px', display: 'inline-block' }}
    >
      {children}
    </Box>
  );
}

function LongText({ children }: { readonly children: string }): ReactElement {
  return (
    <Box component="span" dir="auto" sx={{ display: 'block', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', maxWidth: '80ch' }}>
      {children}
    </Box>
  );
}

function Json({ field, value, place, text }: FieldValueProps & { readonly text: string }): ReactElement {
  if (place === 'record') return <JsonView value={value} label={field.label} />;
  return (
    <Box component="code" sx={{ fontSize: 12 }}>
      {shorten(text)}
    </Box>
  );
}

function File({ value }: { readonly value: unknown }): ReactElement {
  const format = useFormat();
  const file = fileOf(value);
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.5 }}>
      <AttachFileOutlined sx={{ fontSize: 16, color: 'text.secondary' }} />
      {file?.filename ?? String(value as string)}
      {file?.size === undefined ? null : (
        <Box component="span" sx={{ color: 'text.secondary' }}>
          {format.bytes(file.size)}
        </Box>
      )}
    </Box>
  );
}

/** The other record's title, as a link to it. */
function Reference({ entity, field, value, record, target }: FieldValueProps & { readonly target: string }): ReactElement {
  const discovery = useDiscovery();
  const createPath = useCreatePath();
  const relation = entity.relations.find((one) => one.direction === 'forward' && one.local_field === field.name);
  const included = relation === undefined ? undefined : record?.[relation.name];
  const other = entityNamed(discovery, target);
  if (isRecord(included) && other !== undefined) {
    return (
      <Link
        to={createPath({ resource: target, id: value as string, type: 'show' })}
        onClick={(event) => event.stopPropagation()}
        dir="auto"
        style={{ color: 'inherit', textDecorationColor: 'rgba(128,128,128,.6)', lineHeight: '24px', display: 'inline-block' }}
      >
        {titleOf({ id: value, ...included }, other.display_field)}
      </Link>
    );
  }
  return (
    <ReferenceField
      record={{ ...record, id: '', [field.name]: value } as RaRecord}
      source={field.name}
      reference={target}
      link="show"
      emptyText="–"
    />
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
