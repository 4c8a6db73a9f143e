import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// A server for `npm run dev`; the built player is served by Trio Stream itself.
const server = "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0, // the policy of the pages takes nothing from data: URLs
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: server, ws: true }, "/static": server, "/openapi.json": server } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
