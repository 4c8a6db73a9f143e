import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// A server for `npm run dev`; the built player is served by Trio Stream itself.
const server = "http://127.0.0.1:8000";

/**
 * Two icons of Video.js carry a style element, which the policy of our pages refuses; what the one that shows says
 * stands in src/ui/skin.css.
 */
function ownVideojs(): Plugin {
  return {
    name: "own-videojs",
    enforce: "pre",
    transform(code, id) {
      if (!/@videojs\/.*\/icons\//.test(id) || !code.includes('jsx("style"')) return null;
      return code.replace(/\/\* @__PURE__ \*\/ jsx\("style", \{ children: "[^"]*" \}\),?/, "");
    },
  };
}

export default defineConfig({
  plugins: [ownVideojs(), react()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0, // the policy of the pages takes nothing from data: URLs
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: server, ws: true }, "/static": server, "/openapi.json": server, "/healthz": server } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
