import { useState } from "react";
import { useSession } from "./useSession";

interface Failures {
  addresses: readonly string[];
  /** The session's `signInCount` in which they failed. */
  signInCount: number;
}

const NONE: readonly string[] = [];

/**
 * Which files could not be loaded, by their addresses. The session may have ended, which a picture does not
 * tell: so that is asked about, and what failed before somebody signed in counts no more.
 */
export function useFailedFiles() {
  const { signInCount, check } = useSession();
  const [{ addresses, signInCount: of }, setFailures] = useState<Failures>({ addresses: NONE, signInCount });
  const failed = of === signInCount ? addresses : NONE;
  return {
    failed,
    report: (address: string) => {
      setFailures({ addresses: [...failed, address], signInCount });
      check();
    },
    clear: () => setFailures({ addresses: NONE, signInCount }),
  };
}
