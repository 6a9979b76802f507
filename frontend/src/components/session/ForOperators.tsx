import type { ReactNode } from "react";
import { useCanEdit } from "@/hooks/useSession";

/** Wraps controls that make changes; renders nothing for viewers. The header explains the role. */
export function ForOperators({ children }: { children: ReactNode }) {
  return useCanEdit() ? children : null;
}
