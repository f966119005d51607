import UploadFileOutlined from '@mui/icons-material/UploadFileOutlined';
import { Button, Link } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as RouterLink, Route, Routes, useSearchParams } from 'react-router-dom';
import type { Import } from '../../../../client/client.ts';
import { appPath, useRead } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { isMoving, TONES } from './import.ts';
import { ImportPage } from './ImportPage.tsx';
import { NewImport } from './NewImport.tsx';
import { Result } from './Result.tsx';
import { IMPORTS } from './words.ts';

const PER_PAGE = 25;

/** Files that were or are imported, a new one, and one of them as it goes. */
export default function Imports(): ReactElement {
  return (
    <Routes>
      <Route path="/" element={<ImportList />} />
      <Route path="/new" element={<NewImport />} />
      <Route path="/:id" element={<ImportPage />} />
    </Routes>
  );
}

interface Listed {
  readonly data: readonly Import[];
  readonly meta: { readonly total?: number };
}

function ImportList(): ReactElement {
  const t = useWords(IMPORTS);
  const format = useFormat();
  const discovery = useDiscovery();
  const app = discovery.app.name;
  const [params, setParams] = useSearchParams();
  const page = Number(params.get('page') ?? '1');
  const entity = params.get('entity');
  const query = `page=${page}&per_page=${PER_PAGE}${entity === null ? '' : `&entity=${encodeURIComponent(entity)}`}`;
  const read = useRead<Listed>(`${appPath(app)}/_imports?${query}`, { every: 3_000 });
  const imports = read.data?.data ?? [];
  const begin = (
    <Button
      variant="contained"
      startIcon={<UploadFileOutlined />}
      component={RouterLink}
      to={`/t/${app}/_imports/new${entity === null ? '' : `?entity=${encodeURIComponent(entity)}`}`}
    >
      {t('new')}
    </Button>
  );
  const columns: readonly Column<Import>[] = [
    {
      key: 'file',
      label: t('file'),
      cell: (one) => (
        <Link component={RouterLink} to={`/t/${app}/_imports/${one.id}`} sx={{ fontWeight: 600 }}>
          {one.file_name ?? t('pasted')}
        </Link>
      ),
    },
    { key: 'into', label: t('into'), cell: (one) => entityNamed(discovery, one.entity)?.label ?? one.entity },
    { key: 'state', label: t('state'), cell: (one) => <Status tone={TONES[one.state]} label={t(one.state)} /> },
    { key: 'rows', label: t('rows'), align: 'right', cell: (one) => format.number(one.rows) },
    { key: 'result', label: t('by_what'), cell: (one) => (isMoving(one) ? '–' : <Result of={one} />) },
    { key: 'begun', label: t('begun'), cell: ({ created_at: at }) => <Time at={at} /> },
  ];
  return (
    <Page title={t('title')} description={t('description')} actions={begin}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && imports.length === 0 ? <Empty action={begin}>{t('none')}</Empty> : null}
      {imports.length === 0 ? null : <Rows label={t('title')} columns={columns} rows={imports} keyOf={({ id }) => id} />}
      <Pager
        page={page}
        perPage={PER_PAGE}
        total={read.data?.meta.total ?? 0}
        onPage={(next) => setParams({ ...(entity === null ? {} : { entity }), page: String(next) })}
      />
    </Page>
  );
}
