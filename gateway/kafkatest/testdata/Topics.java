import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;

/** Prints the cluster's topics, one per line: a program of one file that needs Kafka's jars. */
public class Topics {
    public static void main(String[] args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            new TreeSet<>(admin.listTopics().names().get()).forEach(System.out::println);
        }
    }
}
