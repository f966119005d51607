/** The page a mail leads to when an app has none of its own: a password, sent with the token behind `#` to the page's own address. */
import { randomBytes } from 'node:crypto';
import { escapeHtml } from '../core/html.ts';
import { textAnswer, type Answer } from './http/answer.ts';

export type AccountPage = 'accept-invite' | 'reset' | 'verify';

const WORDS: Readonly<Record<AccountPage, { readonly title: string; readonly label: string; readonly done: string }>> = {
  'accept-invite': { title: 'Accept the invitation', label: 'Choose a password', done: 'Your account is ready. You can sign in now.' },
  reset: { title: 'Choose a new password', label: 'New password', done: 'The password is set. You can sign in now.' },
  verify: { title: 'Confirm your address', label: 'The password you signed up with', done: 'Your account is open. You can sign in now.' },
};

/** The page of an app or the platform; `appName` is its display name. */
export function accountPage(page: AccountPage, appName: string): Answer {
  const nonce = randomBytes(16).toString('base64');
  const { title, label, done } = WORDS[page];
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style nonce="${nonce}">
body{font-family:sans-serif;max-width:24rem;margin:10vh auto;padding:0 1rem;color:#222}
input,button{display:block;width:100%;box-sizing:border-box;padding:.6rem;margin:.5rem 0;font:inherit}
[role=alert]{color:#b00020}
</style></head><body><main>
<p>${escapeHtml(appName)}</p><h1>${escapeHtml(title)}</h1>
<form><label for="password">${escapeHtml(label)}</label>
<input id="password" type="password" autocomplete="${page === 'verify' ? 'current-password' : 'new-password'}" required>
<button>${escapeHtml(title)}</button></form>
<p role="alert"></p><p role="status"></p></main>
<script nonce="${nonce}">
const form = document.querySelector('form');
const say = (role, text) => { document.querySelector('[role=' + role + ']').textContent = text; };
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  say('alert', '');
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  const password = document.getElementById('password').value;
  try {
    const answer = await fetch(location.pathname, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token, password }),
    });
    if (answer.ok) { form.hidden = true; history.replaceState(null, '', location.pathname); return say('status', ${JSON.stringify(done)}); }
    const { error } = await answer.json();
    say('alert', [error.message, ...error.details.map((detail) => detail.message)].join(' '));
  } catch { say('alert', 'The server does not answer. Try again.'); }
});
</script></body></html>
`;
  return {
    ...textAnswer(html, 200, {
      'Cache-Control': 'no-store',
      'Content-Security-Policy': `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    }),
    type: 'text/html; charset=utf-8',
  };
}
