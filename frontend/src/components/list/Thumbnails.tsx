/** The first photos of an order, and how many more there are. Its size does not depend on their arrival. */
export function Thumbnails({ urls, count }: { urls: readonly string[]; count: number }) {
  const more = count - urls.length;
  return (
    <div aria-hidden className="flex h-10">
      {urls.map((url) => (
        <img
          key={url}
          src={url}
          alt=""
          width={40}
          height={40}
          loading="lazy"
          decoding="async"
          className="-ml-2 size-10 shrink-0 rounded-lg border-2 border-card bg-soft object-cover first:ml-0"
        />
      ))}
      {more > 0 && (
        <span className="-ml-2 grid size-10 shrink-0 place-items-center rounded-lg border-2 border-card bg-soft text-xs text-mute first:ml-0">
          {urls.length > 0 ? `+${more}` : more}
        </span>
      )}
    </div>
  );
}
