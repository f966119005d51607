/** The place is said by where the message stands. */
export const withoutPlace = (message: string): string => message.replace(/^[a-z_]+\.\d+[\w.[\]]*:? /, '');
