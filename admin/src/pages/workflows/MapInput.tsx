/** Names with values: literals, paths (`record.total`), or what an expression works out. */
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Box, Button, IconButton, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Expression } from '../../expressions/Expression.tsx';
import { useWords } from '../../i18n/words.ts';
import { useBuilder } from './builder.ts';
import { ExpressionToggle } from './ExpressionToggle.tsx';
import { ValueText } from './ValueText.tsx';
import { isRaw, textOf, type Raw } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface MapInputProps {
  readonly label: string;
  readonly value: Raw;
  readonly onChange: (value: Raw | undefined) => void;
  readonly error: string | undefined;
}

interface Row {
  readonly name: string;
  readonly value: unknown;
}

const rowsOf = (value: Raw): readonly Row[] => Object.entries(value).map(([name, each]) => ({ name, value: each }));

export function MapInput({ label, value, onChange, error }: MapInputProps): ReactElement {
  const t = useWords(WORKFLOWS);
  // A name that is still being typed, or typed twice, is a row before it is a member.
  const [rows, setRows] = useState(() => rowsOf(value));
  const take = (next: readonly Row[]): void => {
    setRows(next);
    const named = next.filter(({ name }) => name.trim() !== '');
    onChange(named.length === 0 ? undefined : Object.fromEntries(named.map((row) => [row.name.trim(), row.value])));
  };
  const put = (at: number, part: Partial<Row>): void => take(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  return (
    <Stack spacing={1} role="group" aria-label={label}>
      <Typography variant="body2" sx={{ fontWeight: 500 }}>
        {label}
      </Typography>
      {rows.map((row, index) => (
        <OneRow
          key={index}
          row={row}
          of={`${label} ${index + 1}`}
          at={index + 1}
          onChange={(part) => put(index, part)}
          onRemove={() => take(rows.filter((_, at) => at !== index))}
        />
      ))}
      {error === undefined ? null : (
        <Typography variant="caption" role="alert" color="error">
          {error}
        </Typography>
      )}
      <Button size="small" variant="outlined" sx={{ alignSelf: 'start' }} onClick={() => setRows([...rows, { name: '', value: '' }])}>
        {t('add_value', { of: label })}
      </Button>
    </Stack>
  );
}

interface OneRowProps {
  readonly row: Row;
  readonly of: string;
  readonly at: number;
  readonly onChange: (part: Partial<Row>) => void;
  readonly onRemove: () => void;
}

function OneRow({ row: { name, value }, of, at, onChange, onRemove }: OneRowProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { scope, sample } = useBuilder();
  const isExpression = isRaw(value) && Object.keys(value).join() === 'expression';
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 1,
        gridTemplateColumns: { xs: 'minmax(0, 1fr) 36px 36px', sm: '1fr 2fr 36px 36px' },
        alignItems: 'start',
      }}
    >
      <TextField size="small" label={t('value_name', { at })} value={name} onChange={(event) => onChange({ name: event.target.value })} />
      <Box sx={{ minWidth: 0, gridRow: { xs: 2, sm: 'auto' }, gridColumn: { xs: '1 / -1', sm: 'auto' } }}>
        {isExpression ? (
          <Expression
            label={t('value_of', { at })}
            value={textOf(value['expression'])}
            onChange={(expression) => onChange({ value: { expression } })}
            scope={scope}
            sample={sample}
          />
        ) : (
          <ValueText label={t('value_of', { at })} value={value} onChange={(typed) => onChange({ value: typed ?? '' })} />
        )}
      </Box>
      <ExpressionToggle
        of={of}
        isOn={isExpression}
        onToggle={() => onChange({ value: isExpression ? '' : { expression: textOf(value) } })}
      />
      <IconButton size="small" aria-label={t('remove_value', { of })} onClick={onRemove}>
        <DeleteOutlined fontSize="small" />
      </IconButton>
    </Box>
  );
}
