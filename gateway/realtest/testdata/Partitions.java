import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

/** Prints, for every line of a file, the partition that Kafka's own producer chooses for it as a key. */
public class Partitions {
    public static void main(String[] args) throws Exception {
        int partitions = Integer.parseInt(args[1]);
        for (String key : Files.readAllLines(Path.of(args[0]))) {
            System.out.println(BuiltInPartitioner.partitionForKey(key.getBytes(StandardCharsets.UTF_8), partitions));
        }
    }
}
