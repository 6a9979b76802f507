import { useCallback, useRef, useState } from "react";

/** The keys of `list` from `one` to `other`, in either direction; only `other` if `one` is not in it. */
function between(list: readonly string[], one: string | null, other: string): readonly string[] {
  const [from, to] = [one === null ? -1 : list.indexOf(one), list.indexOf(other)];
  return from === -1 || to === -1 ? [other] : list.slice(Math.min(from, to), Math.max(from, to) + 1);
}

/** A set of selected keys. */
export function useSelection() {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const toggle = useCallback((key: string) => {
    last.current = key;
    setSelected((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  }, []);
  /** Select or unselect everything from the last toggled key to this one, as this one is toggled. */
  const toggleTo = useCallback((key: string, list: readonly string[]) => {
    const range = between(list, last.current, key);
    last.current = key;
    setSelected((before) => {
      const after = new Set(before);
      for (const one of range)
        if (before.has(key)) after.delete(one);
        else after.add(one);
      return after;
    });
  }, []);
  const clear = useCallback(() => setSelected(new Set()), []);
  const set = useCallback((keys: readonly string[]) => setSelected(new Set(keys)), []);
  const remove = useCallback((keys: readonly string[]) => {
    setSelected((before) => new Set([...before].filter((key) => !keys.includes(key))));
  }, []);
  return { selected, toggle, toggleTo, clear, set, remove };
}
