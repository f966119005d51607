/** Inputs are found by the place they stand in: what takes the keyboard differs from control to control. */
const FOCUSABLE = '[role=combobox], input:not([type=hidden], [aria-hidden=true], :disabled), textarea:not([aria-hidden=true], :disabled)';

/** Marks the place of an input, by the name it has in the form. */
export const placeOf = (source: string): { readonly 'data-source': string } => ({ 'data-source': source });

/** The first input of these within `root`, in the order of the page; any where none are named. */
export function focusFirst(root: Element | null, sources?: ReadonlySet<string>): boolean {
  const places = [...(root?.querySelectorAll<HTMLElement>('[data-source]') ?? [])];
  const place = places.find((one) => sources === undefined || sources.has(one.dataset['source'] ?? ''));
  const input = place?.querySelector<HTMLElement>(FOCUSABLE);
  input?.focus();
  input?.scrollIntoView({ block: 'center' });
  return input !== null && input !== undefined;
}
