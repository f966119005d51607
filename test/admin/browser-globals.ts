/** What modules of the back office look at when they are loaded, for tests that run without a browser. Import it first. */
const stored = new Map<string, string>();
Object.assign(globalThis, {
  localStorage: {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  },
  document: { documentElement: { lang: '' } },
  navigator: { languages: ['en'] },
});
