import { useEffect } from "react";
import { useUnseenCount } from "@/lib/unseen";

/** The title of the browser's tab, after the number of orders that came to need a person unseen. */
export function useTitle(title: string): void {
  const count = useUnseenCount();
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ""}${title} · Pastelka`;
  }, [title, count]);
}
