import ArrowDownward from '@mui/icons-material/ArrowDownward';
import ArrowUpward from '@mui/icons-material/ArrowUpward';
import ViewColumnOutlined from '@mui/icons-material/ViewColumnOutlined';
import { Box, Button, Checkbox, FormControlLabel, IconButton, Popover, ToggleButton, ToggleButtonGroup, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useStore } from 'react-admin';
import type { DiscoveredEntity } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { ordered, visibleFields } from '../shape.ts';
import { usualColumns } from './state.ts';
import type { ListControl } from './use-list-state.ts';
import { LIST } from './words.ts';

export type Density = 'compact' | 'normal' | 'comfortable';
const DENSITIES: readonly Density[] = ['compact', 'normal', 'comfortable'];

/** One choice for all lists of this browser. */
export const useDensity = (): [Density, (density: Density) => void] => useStore<Density>('list.density', 'normal');

interface ColumnsMenuProps {
  readonly entity: DiscoveredEntity;
  readonly control: ListControl;
}

/** Which columns, in which order, and how high the rows are. The keyboard moves columns too: there is nothing to drag. */
export function ColumnsMenu({ entity, control }: ColumnsMenuProps): ReactElement {
  const t = useWords(LIST);
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [density, setDensity] = useDensity();
  const shown = control.state.columns ?? usualColumns(entity);
  const others = ordered(entity, visibleFields(entity)).filter((field) => !shown.includes(field.name));
  const set = (columns: readonly string[]): void => {
    if (columns.length > 0) control.set({ columns, page: control.state.page }, false);
  };
  const move = (name: string, by: number): void => {
    const at = shown.indexOf(name);
    const next = shown.filter((one) => one !== name);
    next.splice(at + by, 0, name);
    set(next);
  };
  const labelOf = (name: string): string => entity.fields.find((field) => field.name === name)?.label ?? name;
  return (
    <>
      <Button size="small" startIcon={<ViewColumnOutlined />} aria-haspopup="dialog" onClick={(event) => setAnchor(event.currentTarget)}>
        {t('columns')}
      </Button>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        transitionDuration={0}
        anchorOrigin={{ vertical: 'bottom', horizontal: 'right' }}
        transformOrigin={{ vertical: 'top', horizontal: 'right' }}
        slotProps={{ paper: { role: 'dialog', 'aria-label': t('columns'), sx: { p: 2, width: 320, maxWidth: '94vw', maxHeight: '70vh' } } }}
      >
        <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1 }}>
          {t('columns_hint')}
        </Typography>
        <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
          {[...shown, ...others.map(({ name }) => name)].map((name) => {
            const at = shown.indexOf(name);
            return (
              <Box component="li" key={name} sx={{ display: 'flex', alignItems: 'center' }}>
                <FormControlLabel
                  sx={{ flex: 1, minWidth: 0, mr: 0 }}
                  label={labelOf(name)}
                  control={
                    <Checkbox
                      size="small"
                      checked={at >= 0}
                      onChange={() => set(at >= 0 ? shown.filter((one) => one !== name) : [...shown, name])}
                    />
                  }
                />
                {at < 0 ? null : (
                  <>
                    <IconButton
                      size="small"
                      disabled={at === 0}
                      aria-label={t('move_up', { column: labelOf(name) })}
                      onClick={() => move(name, -1)}
                    >
                      <ArrowUpward fontSize="inherit" />
                    </IconButton>
                    <IconButton
                      size="small"
                      disabled={at === shown.length - 1}
                      aria-label={t('move_down', { column: labelOf(name) })}
                      onClick={() => move(name, 1)}
                    >
                      <ArrowDownward fontSize="inherit" />
                    </IconButton>
                  </>
                )}
              </Box>
            );
          })}
        </Box>
        <Button
          size="small"
          disabled={control.state.columns === undefined}
          onClick={() => control.set({ columns: undefined, page: control.state.page }, false)}
        >
          {t('reset_columns')}
        </Button>
        <Typography variant="body2" sx={{ color: 'text.secondary', mt: 2, mb: 1 }} id="row-height">
          {t('density')}
        </Typography>
        <ToggleButtonGroup
          exclusive
          size="small"
          value={density}
          aria-labelledby="row-height"
          onChange={(_, next: Density | null) => (next === null ? undefined : setDensity(next))}
        >
          {DENSITIES.map((one) => (
            <ToggleButton key={one} value={one} sx={{ textTransform: 'none' }}>
              {t(one)}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      </Popover>
    </>
  );
}
