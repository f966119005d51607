/** The diagram's styles: once for the canvas, by class, instead of per node. */
import type { SxProps, Theme } from '@mui/material';

/** Showing everything: nothing larger than it is meant to be read. */
export const FIT = { maxZoom: 1, padding: 0.08 };

const MARKED = {
  '&[data-mark="new"]': { borderColor: 'success.main' },
  '&[data-mark="modified"]': { borderColor: 'warning.main' },
  '&[data-mark="removed"]': { borderColor: 'error.main', borderStyle: 'dashed' },
} as const;

const COLORED = {
  '&[data-mark="new"]': { color: 'success.main' },
  '&[data-mark="modified"]': { color: 'warning.main' },
  '&[data-mark="removed"]': { color: 'error.main' },
} as const;

export const CANVAS: SxProps<Theme> = {
  position: 'relative',
  flex: 1,
  minWidth: 0,
  minHeight: 320,
  border: 1,
  borderColor: 'divider',
  borderRadius: 1,
  overflow: 'hidden',
  bgcolor: 'background.default',
  '& .react-flow': { bgcolor: 'transparent' },
  '& .react-flow__node': { cursor: 'pointer', borderRadius: '6px' },
  '& .react-flow__node:focus-visible': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: 2 },
  '& .react-flow__node.selected .erd-node': { boxShadow: (theme) => `0 0 0 2px ${theme.palette.primary.main}` },
  '& .erd-node': {
    boxSizing: 'border-box',
    width: '100%',
    height: '100%',
    bgcolor: 'background.paper',
    color: 'text.primary',
    border: 1,
    borderColor: 'divider',
    borderRadius: '6px',
    overflow: 'hidden',
    fontSize: 12,
    ...MARKED,
  },
  '& .erd-head': {
    display: 'flex',
    alignItems: 'center',
    gap: '6px',
    height: 35,
    px: '10px',
    borderBottom: 1,
    borderColor: 'divider',
    bgcolor: 'action.hover',
  },
  '& .erd-name': { flex: 1, fontFamily: 'monospace', fontWeight: 700, fontSize: 13, overflow: 'hidden', textOverflow: 'ellipsis' },
  '& .erd-row': {
    display: 'flex',
    alignItems: 'center',
    gap: '6px',
    height: 24,
    px: '10px',
    whiteSpace: 'nowrap',
    '&:hover': { bgcolor: 'action.hover' },
    '&[data-chosen="true"]': { bgcolor: 'action.selected' },
    '&[data-mark="removed"] .erd-field': { textDecoration: 'line-through', color: 'text.secondary' },
  },
  '& .erd-field': {
    flex: 1,
    minWidth: 0,
    fontFamily: 'monospace',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    '& b': { color: 'primary.main' },
  },
  '& .erd-type': { color: 'text.secondary', fontSize: 11, maxWidth: 110, overflow: 'hidden', textOverflow: 'ellipsis' },
  '& .erd-row[data-mark="modified"] .erd-type': { color: 'warning.main' },
  // On paper also in a row that is chosen: its colours are readable there.
  '& .erd-mark': { fontSize: 10.5, fontWeight: 600, px: '4px', borderRadius: '4px', bgcolor: 'background.paper', ...COLORED },
  '& .erd-more': {
    display: 'block',
    width: '100%',
    height: 22,
    p: 0,
    border: 0,
    bgcolor: 'transparent',
    color: 'text.secondary',
    font: 'inherit',
    fontSize: 11,
    cursor: 'pointer',
    '&:hover': { color: 'text.primary' },
  },
  '& .erd-far': {
    display: 'grid',
    placeItems: 'center',
    height: '100%',
    fontFamily: 'monospace',
    fontWeight: 700,
    fontSize: 26,
    textAlign: 'center',
    overflowWrap: 'anywhere',
    lineHeight: 1.1,
    p: '4px',
  },
  '& .erd-handle': {
    width: 10,
    height: 10,
    bgcolor: 'primary.main',
    borderColor: 'background.paper',
    opacity: 0,
    transition: 'opacity .1s',
  },
  '& .react-flow__node:hover .erd-handle, & .react-flow__node.selected .erd-handle': { opacity: 1 },
  '& .react-flow__edge-path, & .erd-ends': { stroke: (theme) => theme.palette.text.secondary, strokeWidth: 1.2 },
  '& .erd-edge[data-mark="new"] path:not(.react-flow__edge-interaction)': {
    stroke: (theme) => theme.palette.success.main,
    strokeWidth: 1.6,
  },
  '& .erd-edge[data-mark="modified"] path:not(.react-flow__edge-interaction)': { stroke: (theme) => theme.palette.warning.main },
  '& .erd-edge[data-mark="removed"] path:not(.react-flow__edge-interaction)': {
    stroke: (theme) => theme.palette.error.main,
    strokeDasharray: '5 4',
  },
  '& .react-flow__edge.selected path:not(.react-flow__edge-interaction), & .react-flow__edge:focus-visible path:not(.react-flow__edge-interaction)':
    {
      stroke: (theme) => theme.palette.primary.main,
      strokeWidth: 2.4,
    },
  '& .erd-label': { fontSize: 11, fontFamily: 'monospace', fill: (theme) => theme.palette.text.primary },
  '& .react-flow__attribution': { bgcolor: 'transparent' },
  '& .react-flow__attribution a': { color: 'text.secondary' },
};
