/** A schema document as text; loaded with the editor, because the writer of YAML has its weight. */
import DownloadOutlined from '@mui/icons-material/DownloadOutlined';
import { Button, Stack } from '@mui/material';
import { useMemo, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { download } from '../../ui/download.ts';
import CodeEditor from '../../ui/CodeEditor.tsx';
import { documentText, type Format } from './document-text.ts';
import { VERSIONS } from './words.ts';

interface DocumentTextProps {
  readonly document: Readonly<Record<string, unknown>>;
  readonly format: Format;
  /** Of the file, without its ending. */
  readonly name: string;
}

const TYPES: Readonly<Record<Format, string>> = { yaml: 'application/yaml', json: 'application/json' };

export default function DocumentText({ document: found, format, name }: DocumentTextProps): ReactElement {
  const t = useWords(VERSIONS);
  const text = useMemo(() => documentText(found, format), [found, format]);
  return (
    <Stack spacing={1}>
      <CodeEditor value={text} language={format} label={t('document')} isReadOnly maxHeight="65vh" />
      <div>
        <Button size="small" startIcon={<DownloadOutlined />} onClick={() => download(`${name}.${format}`, text, TYPES[format])}>
          {t('download', { format: format.toUpperCase() })}
        </Button>
      </div>
    </Stack>
  );
}
