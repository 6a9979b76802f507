import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** URL of a running gateway (orders API, hub and files), for development only. */
const gateway = process.env["PASTELKA_URL"] ?? "http://localhost:8080";
/** Keeps the Host header of the browser: the API rejects changes from pages of another origin. */
const passedOn = { target: gateway, changeOrigin: false };
const proxy = { "/api": passedOn, "/.well-known/mercure": passedOn, "/static": passedOn };

/** Moves the stylesheet behind the shell in index.html, whose first paint then does not wait for it. */
const stylesheetAfterShell: Plugin = {
  name: "stylesheet-after-shell",
  transformIndexHtml: {
    order: "post",
    handler: (html) => {
      const links = html.match(/ *<link rel="stylesheet"[^>]*>\n?/g) ?? [];
      const rest = links.reduce((page, link) => page.replace(link, ""), html);
      return rest.replace("</body>", `${links.join("")}  </body>`);
    },
  },
};

export default defineConfig({
  plugins: [react(), tailwindcss(), stylesheetAfterShell],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { target: "es2023", manifest: true, assetsInlineLimit: 0 },
  server: { proxy },
  preview: { proxy },
  test: {
    environment: "happy-dom",
    setupFiles: "src/test/setup.ts",
    include: ["src/**/*.test.{ts,tsx}"],
    testTimeout: 30_000,
  },
});
