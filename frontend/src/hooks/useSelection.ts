import { useCallback, useState } from "react";

/** A set of selected keys. */
export function useSelection() {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback((key: string) => {
    setSelected((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  }, []);
  const clear = useCallback(() => setSelected(new Set()), []);
  const set = useCallback((keys: readonly string[]) => setSelected(new Set(keys)), []);
  const remove = useCallback((keys: readonly string[]) => {
    setSelected((before) => new Set([...before].filter((key) => !keys.includes(key))));
  }, []);
  return { selected, toggle, clear, set, remove };
}
