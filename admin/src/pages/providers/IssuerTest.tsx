import { Alert, Button, Stack, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Problem } from '../../ui/Problem.tsx';
import type { IssuerCheck } from './provider.ts';
import { PROVIDERS } from './words.ts';

interface IssuerTestProps {
  readonly issuer: string;
  readonly scopes: readonly string[];
  readonly path: string;
}

/** Nothing read before is stale after it. */
const NOTHING: readonly string[] = [];

/** Asks the issuer of the draft, so that a mistake is found before somebody stands before a closed door. */
export function IssuerTest({ issuer, scopes, path }: IssuerTestProps): ReactElement {
  const t = useWords(PROVIDERS);
  const send = useSend(NOTHING);
  const [asked, setAsked] = useState<{ readonly issuer: string; readonly check?: IssuerCheck; readonly error?: unknown }>();
  const test = (): void => {
    send<{ data: IssuerCheck }>('POST', path, { issuer }).then(
      ({ data }) => setAsked({ issuer, check: data }),
      (error: unknown) => setAsked({ issuer, error }),
    );
  };
  const current = asked?.issuer === issuer ? asked : undefined;
  return (
    <Stack spacing={1}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
        <Button variant="outlined" size="small" disabled={issuer === ''} onClick={test}>
          {t('test')}
        </Button>
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('test_help')}
        </Typography>
      </Stack>
      <Problem error={current?.error} />
      {current?.check === undefined ? null : <Answer check={current.check} scopes={scopes} />}
    </Stack>
  );
}

function Answer({ check: { problem, facts }, scopes }: { readonly check: IssuerCheck } & Pick<IssuerTestProps, 'scopes'>): ReactElement {
  const t = useWords(PROVIDERS);
  if (facts === null) return <Alert severity="error">{t(problem ?? 'invalid')}</Alert>;
  const { scopes_supported: listed, code_challenge_methods_supported: methods } = facts;
  const missing = listed === null ? [] : scopes.filter((scope) => !listed.includes(scope));
  const hasPkce = methods?.includes('S256') === true;
  return (
    <Alert severity={missing.length > 0 || !hasPkce ? 'warning' : 'success'} sx={{ overflowWrap: 'anywhere' }}>
      {t('works')}
      <div>
        {t('signs_in_at')}: {facts.authorization_endpoint ?? '–'}
      </div>
      {missing.length === 0 ? null : <div>{t('missing_scopes', { scopes: missing.join(', ') })}</div>}
      {hasPkce ? null : <div>{t('no_pkce')}</div>}
    </Alert>
  );
}
