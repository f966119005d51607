import AccountTreeOutlined from '@mui/icons-material/AccountTreeOutlined';
import AddOutlined from '@mui/icons-material/AddOutlined';
import FitScreenOutlined from '@mui/icons-material/FitScreenOutlined';
import LinkOutlined from '@mui/icons-material/LinkOutlined';
import ZoomInOutlined from '@mui/icons-material/ZoomInOutlined';
import ZoomOutOutlined from '@mui/icons-material/ZoomOutOutlined';
import { Autocomplete, Box, Button, IconButton, MenuItem, Stack, TextField, Tooltip } from '@mui/material';
import { useReactFlow } from '@xyflow/react';
import { useMemo, type ReactElement, type RefObject } from 'react';
import { useWords } from '../../../i18n/words.ts';
import { useDialogs } from '../dialogs.ts';
import { useDraft } from '../draft.ts';
import type { Graph } from '../model/graph.ts';
import type { Detail } from '../model/layout.ts';
import { useSelection } from '../selection.ts';
import { FIT } from './look.ts';
import { SCHEMA } from '../words.ts';

interface ToolbarProps {
  readonly graph: Graph;
  readonly detail: Detail;
  readonly onDetail: (detail: Detail) => void;
  readonly onArrange: () => void;
  readonly search: RefObject<HTMLInputElement | null>;
}

export function Toolbar({ graph, detail, onDetail, onArrange, search }: ToolbarProps): ReactElement {
  const t = useWords(SCHEMA);
  const flow = useReactFlow();
  const { isBroken } = useDraft();
  const { ask } = useDialogs();
  const [selection] = useSelection();
  const tool = (label: string, icon: ReactElement, onClick: () => void): ReactElement => (
    <Tooltip title={label}>
      <IconButton size="small" aria-label={label} onClick={onClick}>
        {icon}
      </IconButton>
    </Tooltip>
  );
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap', alignItems: 'center' }}>
      <Search graph={graph} input={search} />
      <Button
        size="small"
        variant="outlined"
        startIcon={<AddOutlined />}
        disabled={isBroken}
        onClick={() => ask({ kind: 'new' })}
        aria-keyshortcuts="N"
      >
        {t('add_entity')}
      </Button>
      <Button
        size="small"
        variant="outlined"
        startIcon={<LinkOutlined />}
        disabled={isBroken || graph.nodes.length === 0}
        aria-keyshortcuts="L"
        onClick={() => ask({ kind: 'link', ...(selection.entity === undefined ? {} : { source: selection.entity }) })}
      >
        {t('add_relation')}
      </Button>
      <TextField
        select
        size="small"
        label={t('detail')}
        value={detail}
        onChange={(event) => onDetail(event.target.value as Detail)}
        sx={{ minWidth: 160 }}
      >
        <MenuItem value="all">{t('detail_all')}</MenuItem>
        <MenuItem value="keys">{t('detail_keys')}</MenuItem>
        <MenuItem value="none">{t('detail_none')}</MenuItem>
      </TextField>
      <Box sx={{ display: 'flex' }}>
        {tool(t('zoom_in'), <ZoomInOutlined />, () => void flow.zoomIn())}
        {tool(t('zoom_out'), <ZoomOutOutlined />, () => void flow.zoomOut())}
        {tool(t('fit'), <FitScreenOutlined />, () => void flow.fitView(FIT))}
        {tool(t('auto_layout'), <AccountTreeOutlined />, onArrange)}
      </Box>
    </Stack>
  );
}

interface Hit {
  readonly label: string;
  readonly entity: string;
  readonly field?: string;
}

function Search({ graph, input }: { readonly graph: Graph; readonly input: RefObject<HTMLInputElement | null> }): ReactElement {
  const t = useWords(SCHEMA);
  const [, select] = useSelection();
  const hits = useMemo(
    () =>
      graph.nodes.flatMap(({ name, rows }): Hit[] => [
        { label: name, entity: name },
        ...rows.map((row) => ({ label: `${name}.${row.name}`, entity: name, field: row.name })),
      ]),
    [graph.nodes],
  );
  return (
    <Autocomplete
      size="small"
      options={hits}
      value={null}
      blurOnSelect
      clearOnBlur
      autoHighlight
      forcePopupIcon={false}
      noOptionsText={t('nothing_found')}
      getOptionKey={({ label, field }) => `${label} ${field ?? ''}`}
      filterOptions={(all, { inputValue }) => all.filter(({ label }) => label.includes(inputValue.trim().toLowerCase())).slice(0, 30)}
      onChange={(_, hit) => {
        if (hit !== null) select({ entity: hit.entity, ...(hit.field === undefined ? {} : { field: hit.field }) });
      }}
      sx={{ flex: '1 1 180px', maxWidth: 320 }}
      renderInput={(params) => <TextField {...params} inputRef={input} label={t('search')} />}
    />
  );
}
