import { Autocomplete, Chip, FormControlLabel, Stack, Switch, TextField } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { AddressField } from '../../ui/AddressField.tsx';
import { readObject } from '../../ui/json.ts';
import { useAddress } from '../../ui/use-address.ts';
import { EVENTS } from './words.ts';

/** What is listened to; it is written into the address, from which the stream is opened. */
export function WishForm(): ReactElement {
  const t = useWords(EVENTS);
  const discovery = useDiscovery();
  const { params, change } = useAddress();
  const filter = params.get('filter') ?? '';
  const isWrong = filter.trim() !== '' && readObject(filter) === undefined;
  const set = (name: string, given: string): void => change({ [name]: given }, { replace: true });
  return (
    <Stack direction="row" spacing={2} useFlexGap sx={{ flexWrap: 'wrap', '& > *': { flex: '1 1 240px' } }}>
      <Autocomplete
        multiple
        size="small"
        options={discovery.entities.filter(({ permissions }) => permissions.read).map(({ name }) => name)}
        getOptionLabel={(name) => entityNamed(discovery, name)?.label ?? name}
        value={(params.get('entities') ?? '').split(',').filter((name) => name !== '')}
        onChange={(_, chosen) => set('entities', chosen.join(','))}
        renderValue={(chosen, itemProps) =>
          chosen.map((name, index) => {
            const { key, ...props } = itemProps({ index });
            return <Chip key={key} size="small" label={entityNamed(discovery, name)?.label ?? name} {...props} />;
          })
        }
        renderInput={(field) => <TextField {...field} label={t('entities')} helperText={t('entities_help')} />}
      />
      <AddressField
        size="small"
        label={t('filter')}
        value={filter}
        onChange={(typed) => set('filter', typed)}
        error={isWrong}
        helperText={t(isWrong ? 'filter_wrong' : 'filter_help')}
        slotProps={{ htmlInput: { spellCheck: false } }}
      />
      <FormControlLabel
        control={
          <Switch
            size="small"
            checked={params.get('record') === 'true'}
            onChange={(event) => set('record', event.target.checked ? 'true' : '')}
          />
        }
        label={t('include_record')}
      />
    </Stack>
  );
}
