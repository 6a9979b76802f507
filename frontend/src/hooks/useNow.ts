import { useEffect, useState } from "react";

const MINUTE_MS = 60_000;

/** The time in milliseconds, anew every `everyMs`, by default every minute. */
export function useNow(everyMs = MINUTE_MS): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
