import { useState } from "react";
import { useSession } from "./useSession";

interface Failures {
  addresses: readonly string[];
  /** The session's `signInCount` when they failed. */
  signInCount: number;
}

const NONE: readonly string[] = [];

/**
 * URLs of files that could not be loaded. An `<img>` error has no status, so the session is checked; failures
 * from before a sign-in are forgotten.
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
