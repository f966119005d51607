import ContentCopyOutlined from '@mui/icons-material/ContentCopyOutlined';
import DoneOutlined from '@mui/icons-material/DoneOutlined';
import { IconButton, Tooltip } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useWords } from '../i18n/words.ts';
import { UI } from './words.ts';

/** Puts `text` on the clipboard and says so. `of` names what is copied, for its label. */
export function Copy({ text, of }: { readonly text: string; readonly of?: string }): ReactElement {
  const t = useWords(UI);
  const [isCopied, setCopied] = useState(false);
  const label = isCopied ? t('copied') : of === undefined ? t('copy') : `${t('copy')}: ${of}`;
  return (
    <Tooltip title={label}>
      <IconButton
        size="small"
        aria-label={label}
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
        onBlur={() => setCopied(false)}
      >
        {isCopied ? <DoneOutlined fontSize="inherit" /> : <ContentCopyOutlined fontSize="inherit" />}
      </IconButton>
    </Tooltip>
  );
}
