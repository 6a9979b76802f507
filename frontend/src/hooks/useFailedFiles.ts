import { useState } from "react";
import { useSession } from "./useSession";

interface Failures {
  addresses: readonly string[];
  /** The session's `entry` in which they failed. */
  entry: number;
}

const NONE: readonly string[] = [];

/**
 * Which files could not be loaded, by their addresses. The session may have ended, which a picture does not
 * tell: so that is asked about, and what failed before somebody signed in counts no more.
 */
export function useFailedFiles() {
  const { entry, check } = useSession();
  const [{ addresses, entry: of }, setFailures] = useState<Failures>({ addresses: NONE, entry });
  const failed = of === entry ? addresses : NONE;
  return {
    failed,
    report: (address: string) => {
      setFailures({ addresses: [...failed, address], entry });
      check();
    },
    forget: () => setFailures({ addresses: NONE, entry }),
  };
}
