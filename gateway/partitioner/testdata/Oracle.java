import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Utils;

/** Answers what Kafka's own classes do. Reads cases from stdin until it ends; all numbers are big-endian ints. */
public class Oracle {
    public static void main(String[] args) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
        for (int cases = in.readInt(); cases > 0; cases--) {
            switch (args[0]) {
                case "key": key(in, out); break;
                case "load": load(in, out); break;
                case "round-robin": roundRobin(in, out); break;
                default: throw new IllegalArgumentException(args[0]);
            }
        }
        out.flush();
    }

    /** partitions, length, key -> murmur2, toPositive(murmur2), partitionForKey */
    private static void key(DataInputStream in, DataOutputStream out) throws IOException {
        int partitions = in.readInt();
        byte[] key = in.readNBytes(in.readInt());
        out.writeInt(Utils.murmur2(key));
        out.writeInt(Utils.toPositive(Utils.murmur2(key)));
        out.writeInt(BuiltInPartitioner.partitionForKey(key, partitions));
    }

    /** partitions, n, n queue sizes of those not left out -> n running sums, all 0 when load does not matter */
    private static void load(DataInputStream in, DataOutputStream out) throws IOException {
        int[] queues = new int[in.readInt()];
        int n = in.readInt();
        for (int i = 0; i < n; i++) {
            queues[i] = in.readInt();
        }
        BuiltInPartitioner partitioner = new BuiltInPartitioner(new LogContext(), "t", 1);
        partitioner.updatePartitionLoadStats(queues, new int[queues.length], n);
        boolean matters = true;
        try {
            partitioner.loadStatsRangeEnd();
        } catch (NullPointerException e) {
            matters = false; // it keeps no statistics
        }
        for (int i = 0; i < n; i++) {
            out.writeInt(matters ? queues[i] : 0); // it makes the sums in place
        }
    }

    /** partitions, n, for each partition whether it has a leader -> n partitions */
    private static void roundRobin(DataInputStream in, DataOutputStream out) throws IOException {
        Node node = new Node(0, "localhost", 9092);
        Node[] nodes = {node};
        int partitions = in.readInt();
        int n = in.readInt();
        List<PartitionInfo> infos = new ArrayList<>();
        for (int i = 0; i < partitions; i++) {
            infos.add(new PartitionInfo("t", i, in.readInt() == 1 ? node : null, nodes, nodes));
        }
        Cluster cluster = new Cluster("c", List.of(node), infos, Set.of(), Set.of());
        try (RoundRobinPartitioner partitioner = new RoundRobinPartitioner()) {
            for (int i = 0; i < n; i++) {
                out.writeInt(partitioner.partition("t", null, null, null, null, cluster));
            }
        }
    }
}
