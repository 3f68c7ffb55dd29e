import { defineConfig } from 'vite';

// The built files are committed (dist/) and embedded in the program; tests/console rebuilds them and compares.
export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  // For work on the console beside a running program: SEGUE_API=http://127.0.0.1:8080 npm run dev
  server: { proxy: { '/v1': { target: process.env.SEGUE_API || 'http://127.0.0.1:8080', changeOrigin: false } } }, // the API compares Host and Origin
});
