import type { ReactNode } from "react";
import { useCanEdit } from "@/hooks/useSession";

/** What changes something. Viewers do not have it at all, and the header says why. */
export function ForOperators({ children }: { children: ReactNode }) {
  return useCanEdit() ? children : null;
}
