// Replaces the last build with the new one, so that the gateway never serves a mixture of both.
import { existsSync, renameSync, rmSync } from "node:fs";

if (existsSync("dist")) renameSync("dist", ".dist.old");
renameSync(".dist", "dist");
rmSync(".dist.old", { recursive: true, force: true });
