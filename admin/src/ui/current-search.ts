/**
 * The parameters of the address as they are now. Those of the last render may be older than what was set a moment ago, and a change made
 * from them would take that back: react-router does not queue changes of parameters as React queues those of state.
 */
export const currentSearch = (): URLSearchParams => new URLSearchParams(window.location.search);
