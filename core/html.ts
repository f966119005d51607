const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as HTML shows it, in elements and in quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
// None goes past the next "<": a long text of nothing but beginnings is still read once.
const UNSEEN = /<!--[^<]*?-->|<(style|script|title)\b[^<>]*>[^<]*<\/\1>/gi;
const LINE_END = /<br\b[^<>]*>|<\/(?:p|div|h[1-6]|li|tr|table|ul|ol|blockquote)>/gi;
const TAG = /<[/!a-z][^<>]*>/gi;

/** What HTML says without it, for readers that show no HTML: no tags, characters for their names, a line for each block. Text without tags stays as it is. */
export function plainText(html: string): string {
  if (html.search(TAG) < 0) return html;
  const lines = html.replace(UNSEEN, ' ').replace(/\s+/g, ' ').replace(LINE_END, '\n').replace(TAG, ' ');
  const shown = lines.replace(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|([a-z]+));/gi, (all, decimal?: string, hex?: string, name?: string) =>
    name === undefined ? String.fromCodePoint(decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal)) : (NAMED[name] ?? all),
  );
  return shown
    .replace(/ *\n */g, '\n')
    .replace(/ {2,}/g, ' ')
    .trim();
}
