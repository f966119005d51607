/** `review_order` reads better as `review order`. */
export const spaced = (name: string): string => name.replaceAll('_', ' ');
