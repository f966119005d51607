import FunctionsOutlined from '@mui/icons-material/FunctionsOutlined';
import { ToggleButton, Tooltip } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { WORKFLOWS } from './words.ts';

interface ExpressionToggleProps {
  /** What the value is of. */
  readonly of: string;
  readonly isOn: boolean;
  readonly onToggle: () => void;
}

/** Between a value as it is typed and one that an expression works out. */
export function ExpressionToggle({ of, isOn, onToggle }: ExpressionToggleProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const label = t('as_expression', { of });
  return (
    <Tooltip title={label}>
      <ToggleButton value="expression" size="small" selected={isOn} onChange={onToggle} aria-label={label} sx={{ p: 0.75 }}>
        <FunctionsOutlined fontSize="small" />
      </ToggleButton>
    </Tooltip>
  );
}
