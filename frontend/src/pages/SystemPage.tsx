import { LoadFailure } from "@/components/LoadFailure";
import { DeadLetters } from "@/components/system/DeadLetters";
import { Head } from "@/components/system/Head";
import { LastHour } from "@/components/system/LastHour";
import { Queues } from "@/components/system/Queues";
import { Retention } from "@/components/system/Retention";
import { Services } from "@/components/system/Services";
import { SystemSkeleton } from "@/components/system/SystemSkeleton";
import { Warnings } from "@/components/system/Warnings";
import { useSystem } from "@/hooks/useSystem";
import { useSystemHistory } from "@/hooks/useSystemHistory";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";
import { useShortcuts } from "@/lib/shortcuts";
import { servicesOf } from "@/lib/system";
import type { SystemState } from "@/lib/api";

interface LoadedProps {
  system: SystemState;
  query: ReturnType<typeof useSystem>;
  onRefresh: () => void;
}

function Loaded({ system, query, onRefresh }: LoadedProps) {
  const { depths, seen } = useSystemHistory(system);
  return (
    <>
      <Head system={system} at={query.dataUpdatedAt} busy={query.isFetching} onRefresh={onRefresh} />
      <Warnings system={system} at={query.dataUpdatedAt} error={query.error} onRetry={onRefresh} />
      <LastHour hours={system.last_hour} />
      <Queues
        queues={system.queues}
        outbox={system.outbox}
        reconciler={system.reconciler}
        depths={depths}
        now={Date.parse(system.at)}
      />
      <Services services={servicesOf(system)} seen={seen} now={Date.parse(system.at)} />
      <DeadLetters letters={system.dead_letters} />
      <Retention state={system.retention} now={Date.parse(system.at)} />
    </>
  );
}

/** The state of the system: services, queues, the last hour, and dead letters. */
export default function SystemPage() {
  const { t } = useLanguage();
  useTitle(t("system.title"));
  const query = useSystem();
  const refresh = () => void query.refetch();
  useShortcuts([{ key: "r", label: t("system.refresh"), run: refresh }]);
  if (query.data) return <Loaded system={query.data} query={query} onRefresh={refresh} />;
  if (query.isError) return <LoadFailure title={t("system.failed")} error={query.error} onRetry={refresh} />;
  return <SystemSkeleton />;
}
