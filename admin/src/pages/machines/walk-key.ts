/** One move, as a key of sets. Beside the diagram, which is loaded later than the page. */
export const walkKey = (from: string, to: string): string => JSON.stringify([from, to]);
