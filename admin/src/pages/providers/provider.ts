export interface Provider {
  readonly name: string;
  readonly display_name: string | null;
  readonly issuer: string;
  readonly client_id: string;
  readonly has_secret: boolean;
  readonly scopes: readonly string[];
  readonly default_roles: readonly string[];
  readonly allow_signup: boolean;
  readonly active: boolean;
}

export interface ProviderList {
  readonly data: readonly Provider[];
  /** With `{name}` in it. */
  readonly meta: { readonly callback: string };
}

export interface IssuerCheck {
  readonly answers: boolean;
  readonly problem: 'unavailable' | 'invalid' | null;
  readonly facts: {
    readonly authorization_endpoint: string | null;
    readonly scopes_supported: readonly string[] | null;
    readonly code_challenge_methods_supported: readonly string[] | null;
  } | null;
}

/** What a form holds; the secret is only ever written. */
export type ProviderDraft = Omit<Provider, 'has_secret' | 'display_name'> & {
  readonly display_name: string;
  readonly secret: string;
  readonly dropsSecret: boolean;
};

export const draftOf = (stored: Provider | undefined): ProviderDraft => ({
  name: stored?.name ?? '',
  display_name: stored?.display_name ?? '',
  issuer: stored?.issuer ?? '',
  client_id: stored?.client_id ?? '',
  scopes: stored?.scopes ?? ['openid', 'email', 'profile'],
  default_roles: stored?.default_roles ?? [],
  allow_signup: stored?.allow_signup ?? false,
  active: stored?.active ?? true,
  secret: '',
  dropsSecret: false,
});

/** The body that saves it; an empty secret leaves what is stored. */
export function bodyOf({ name, display_name: shown, secret, dropsSecret, ...rest }: ProviderDraft, isNew: boolean): object {
  const sealed = dropsSecret ? { client_secret: null } : secret === '' ? {} : { client_secret: secret };
  return { ...(isNew ? { name } : {}), ...rest, display_name: shown.trim() === '' ? null : shown, ...sealed };
}
