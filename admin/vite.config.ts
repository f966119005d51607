import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The api writes a fresh nonce over the placeholder for each page it serves. */
export const NONCE_PLACEHOLDER = '__CSP_NONCE__';

export default defineConfig({
  root: import.meta.dirname,
  base: '/admin/',
  plugins: [react()],
  html: { cspNonce: NONCE_PLACEHOLDER },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 1500 },
  server: { port: 5173, proxy: { '/api': 'http://127.0.0.1:8080', '/health': 'http://127.0.0.1:8080' } },
});
