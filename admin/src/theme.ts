import { defaultDarkTheme, defaultLightTheme, type RaThemeOptions } from 'react-admin';

const shared: RaThemeOptions = {
  typography: {
    fontFamily: '"Inter Variable", system-ui, sans-serif',
    fontSize: 13,
    h6: { fontSize: 16, fontWeight: 600 },
    button: { textTransform: 'none', fontWeight: 600 },
  },
  shape: { borderRadius: 6 },
};

/** Who asked for less motion gets none. */
const STILL = {
  '@media (prefers-reduced-motion: reduce)': { '*, *::before, *::after': { transition: 'none !important', animation: 'none !important' } },
};

const components = (isDark: boolean): RaThemeOptions['components'] => ({
  MuiCssBaseline: { styleOverrides: STILL },
  // react-admin's own spinner comes without a name.
  MuiCircularProgress: { defaultProps: { 'aria-label': 'Loading' } },
  MuiTableCell: { styleOverrides: { root: { fontVariantNumeric: 'tabular-nums' } } },
  MuiTableSortLabel: { styleOverrides: { root: { minHeight: 24 } } },
  MuiPaper: { styleOverrides: { root: { backgroundImage: 'none' } } },
  MuiButtonBase: {
    defaultProps: { disableRipple: true },
    styleOverrides: { root: { '&.Mui-focusVisible': { outline: `2px solid ${isDark ? '#8ab4ff' : '#2f5bea'}`, outlineOffset: 1 } } },
  },
  MuiTextField: { defaultProps: { variant: 'outlined' as const } },
});

export const lightTheme: RaThemeOptions = {
  ...defaultLightTheme,
  ...shared,
  palette: {
    mode: 'light',
    primary: { main: '#2f5bea' },
    secondary: { main: '#1b2433' },
    success: { main: '#176f41' },
    info: { main: '#0b5c8f' },
    warning: { main: '#9a5b00' },
    error: { main: '#b3261e' },
    background: { default: '#f6f7f9', paper: '#ffffff' },
  },
  components: { ...defaultLightTheme.components, ...components(false) },
};

export const darkTheme: RaThemeOptions = {
  ...defaultDarkTheme,
  ...shared,
  palette: {
    mode: 'dark',
    primary: { main: '#8ab4ff' },
    secondary: { main: '#c7d2e5' },
    error: { main: '#ff8a80' },
    success: { main: '#7fd6a4' },
    warning: { main: '#ffc46b' },
    background: { default: '#0f1216', paper: '#171b21' },
  },
  components: { ...defaultDarkTheme.components, ...components(true) },
};
