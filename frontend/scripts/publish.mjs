// Puts the new build in the place of the last one, so that a gateway that serves it never finds half of it.
import { existsSync, renameSync, rmSync } from "node:fs";

if (existsSync("dist")) renameSync("dist", ".dist.old");
renameSync(".dist", "dist");
rmSync(".dist.old", { recursive: true, force: true });
