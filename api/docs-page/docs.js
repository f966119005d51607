// The documentation of one app: signs in, fetches what the caller may do, and shows it. The token stays in this page's memory.
const root = document.documentElement;
const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => root.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', paint);
paint();

const app = location.pathname.replace(/\/_docs\/?$/, '');
const form = document.querySelector('#sign-in');
const message = document.querySelector('#message');
const field = (name) => form.elements.namedItem(name).value.trim();

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  message.textContent = 'Signing in …';
  try {
    const token = field('token') || (await signIn(field('email'), form.elements.namedItem('password').value));
    await show(token);
    form.reset();
  } catch (error) {
    message.textContent = error.message;
  }
});

async function signIn(email, password) {
  const answer = await ask(`${app}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  return answer.data.access_token;
}

async function ask(url, options) {
  const response = await fetch(url, options).catch(() => {
    throw new Error('The server does not answer.');
  });
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw new Error(body?.error?.message ?? `The server answered ${response.status}.`);
  return body;
}

async function show(token) {
  const spec = await ask(`${app}/_openapi.json`, { headers: { authorization: `Bearer ${token}` } });
  message.textContent = `${spec.info.title}, schema version ${spec.info.version}: what this account may do.`;
  const ui = SwaggerUIBundle({
    spec,
    dom_id: '#docs',
    docExpansion: 'none',
    defaultModelsExpandDepth: 0,
    displayOperationId: false,
    validatorUrl: null,
    onComplete: () => ui.preauthorizeApiKey('bearer', token),
  });
}
