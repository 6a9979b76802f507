import { useArrivals } from "@/hooks/useArrivals";

/** Notices on every page which orders come to need a person; renders nothing. */
export function Arrivals() {
  useArrivals();
  return null;
}
