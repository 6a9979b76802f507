const PATHS = {
  sun: "M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.900 19.100l1.400-1.400m0-11.400L4.900 4.900m14.200 14.200-1.400-1.400M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z",
  moon: "M20 14.500A8 8 0 0 1 9.500 4a8 8 0 1 0 10.500 10.500Z",
  close: "M6 6l12 12M18 6 6 18",
  search: "M20 20l-4-4m2-5a7 7 0 1 1-14 0 7 7 0 0 1 14 0Z",
  plus: "M12 5v14M5 12h14",
  upload: "M12 16V4m0 0L7 9m5-5 5 5M4 16v4h16v-4",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
  photo: "M4 5h16v14H4zM4 16l5-5 4 4 2-2 5 5M15.500 9.500h.01",
  check: "M5 12.500l4.500 4.500L19 7.500",
  alert: "M12 8v5m0 3.500v.01M12 3 2.500 20h19z",
  question: "M9 9.200a3 3 0 1 1 4.600 2.500c-1 .700-1.600 1.200-1.600 2.300m0 3.500v.01",
  chevronLeft: "M15 6l-6 6 6 6",
  chevronRight: "M9 6l6 6-6 6",
  chevronDown: "M6 9l6 6 6-6",
  retry: "M20 5v5h-5M4 19v-5h5M19 10A7.500 7.500 0 0 0 6 7m-1 7a7.500 7.500 0 0 0 13 3",
  download: "M12 4v12m0 0 5-5m-5 5-5-5M4 18v2h16v-2",
  external: "M14 4h6v6m0-6-9 9M10 5H5v14h14v-5",
  more: "M4.600 12h.800M11.600 12h.800M18.600 12h.800",
  expand: "M9 4H4v5m11-5h5v5M9 20H4v-5m11 5h5v-5",
  pause: "M9 6v12M15 6v12",
  bell: "M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 1.500h-15zM10 20.500h4",
  person: "M16 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0ZM4.500 20.500a7.500 7.500 0 0 1 15 0",
  eye: "M2.500 12s3.500-6.500 9.500-6.500 9.500 6.500 9.500 6.500-3.500 6.500-9.500 6.500S2.500 12 2.500 12Zm12.500 0a3 3 0 1 1-6 0 3 3 0 0 1 6 0Z",
  crop: "M7 3v14h14M3 7h14v14",
  turnLeft: "M4 5v5h5M4 10a8 8 0 1 1-.500 6",
  turnRight: "M20 5v5h-5M20 10a8 8 0 1 0 .500 6",
  settings:
    "M4 7h10m4 0h2M4 17h2m4 0h10M16 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM8 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z",
} as const;

export type IconName = keyof typeof PATHS;

/** A decorative icon, hidden from screen readers; its parent has the label. */
export function Icon({ name, className = "size-4" }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={className}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
